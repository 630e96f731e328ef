"""What tasks are made of; knows nothing of flows and tasks. Nothing is re-exported here, so that one block does not load the others."""
