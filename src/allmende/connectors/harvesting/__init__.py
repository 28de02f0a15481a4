"""Reads catalogues of others: RDF and CKAN's JSON to pieces, a dataset each, without loss."""
