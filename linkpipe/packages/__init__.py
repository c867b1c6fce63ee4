"""Package archives: found through the importcfg, mapped, their objects read."""
