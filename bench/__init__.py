"""Measurements, never tests: `make bench` prints a table and stores it under bench/results/."""
