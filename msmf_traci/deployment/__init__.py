"""The map of servers: cells of base stations, servers, tiers, and what lies between a cell and a server."""
