//! The program: flags, configuration, progress, output and exit codes. The only reader of the environment.

fn main() {}
