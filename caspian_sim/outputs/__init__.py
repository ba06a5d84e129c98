"""What the command line leaves: folders with dataset, tables, figures and log, and text for the terminal."""
