"""What is still said in the words of older versions of the API."""
