"""The catalogue as CKAN's action API (version 3) gives it, for reading: what harvesters and ckanapi ask."""
