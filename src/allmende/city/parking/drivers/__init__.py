"""The driver's questions: where is a space, will there be one when I arrive, what does it cost, may I enter.

- :mod:`.choosing` decides and ranks, as plain values;
- :mod:`.asking` reads the question from an address, :mod:`.gathering` what is known of each car park;
- :mod:`.words` says it, :mod:`.views` shows the small page for other sites.
"""
