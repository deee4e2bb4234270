"""Reads conversations that agents' own programs kept on this machine: one file of this folder for each way of keeping them."""
