//! Does one job from beginning to end, and is killed on the way: the contract suite looks at what is left.

#![allow(clippy::print_stdout, reason = "the suite reads the id from here")]

use qws::{Error, Program, Workspace};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().unwrap_or_default();
    let workspace = Workspace::from_connection_string(&next())?;
    let target = workspace.target("ionq.simulator").await?;
    let submission = target.submit(Program::ionq_json(next())?).shots(10);
    println!("{}", submission.id());
    let mut job = submission.send().await?;
    job.wait().await?;
    job.results().await?;
    Ok(())
}
