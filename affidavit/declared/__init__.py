"""The facts tables' declarations, by what they are about."""
