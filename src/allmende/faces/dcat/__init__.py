"""The catalogue as RDF: DCAT-AP.de 2.0 and 3.0, with DCAT-AP HVD and DQV."""
