"""`python -m rememberai` is the command line."""

from rememberai.cli import main

main()
