"""`python -m registry.cli`: the same as `acta`, where no script is on the path."""

from registry.cli import main

main()
