"""The strategies, one file each: for each vehicle, where its container must be now and where to copy it ahead of time."""
