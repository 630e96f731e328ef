"""The record: installations, their operations, leases, journals and what was made once."""
