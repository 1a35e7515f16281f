"""Stand-ins for the Microsoft services, over real HTTP, with faults on command. See README.md."""
