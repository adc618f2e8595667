"""SQL, drivers and stores."""
