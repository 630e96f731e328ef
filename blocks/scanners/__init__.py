"""One file per scanner, all behind `blocks.ports.scanners.Scanner`."""
