"""Scripts that set up and maintain the checkout; not part of the installed package."""
