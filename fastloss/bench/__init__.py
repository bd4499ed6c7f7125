"""``fastloss bench``: every loss against NumPy, the installed peers and the memory."""
