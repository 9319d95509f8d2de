"""Other ways to compute the same, each as quick as its kind allows. Each is checked before it is timed."""
