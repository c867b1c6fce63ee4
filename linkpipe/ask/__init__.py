"""Questions about a link, answered from its own graph and tables: values, nothing printed."""
