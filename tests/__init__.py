"""The second product: what must hold, told as behaviour."""
