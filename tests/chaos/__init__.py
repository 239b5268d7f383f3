"""The kill matrix: `make chaos` delivers mail while what delivers it is killed, stopped and started again."""
