"""What every Basejump service stands on: contracts, bus, storage, security."""
