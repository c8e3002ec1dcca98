"""mwbatch in a program of one's own: the API and the folder of all batches, in the words of who uses them."""
