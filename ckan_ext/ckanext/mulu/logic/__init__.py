"""What the portal does when it is asked: actions, and who may ask for them."""
