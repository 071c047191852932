"""One module for each contender: its models, and its operations as its documentation writes them."""
