"""What the stages that prove files share: interpreters, suites of tests, and who bears witness of what was run."""
