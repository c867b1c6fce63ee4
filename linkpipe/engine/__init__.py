"""The framework proper: Link, passes, pipelines, plans, the runner and how plugins are found."""
