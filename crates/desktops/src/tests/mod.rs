//! Tests of the service, on the engine of this run, with a manual clock.

mod doors;
mod fleet;
mod keeping;
mod opening;
mod queue;
mod world;

use world::{World, load, person};

#[tokio::test]
async fn every_statement_is_understood() {
    let world = World::new().await;
    for statement in crate::statements() {
        world
            .db()
            .prepare(statement)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}
