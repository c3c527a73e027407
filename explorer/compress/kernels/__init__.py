"""Compiled loops over weights."""
