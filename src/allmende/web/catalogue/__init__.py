"""The catalogue of datasets: pages, RDF, CKAN's API, and what is remembered of descriptions."""
