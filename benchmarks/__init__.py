"""How fast, how large, how certain: cases, drivers, peers and the page that is made from their results."""
