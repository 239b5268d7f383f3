"""The embedded PostgreSQL and Valkey, and the commands that need them; nothing in the site imports this package."""
