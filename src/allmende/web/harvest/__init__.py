"""Takes over catalogues of others: keeps their datasets, notices what is new, changed and gone."""
