//! Tests of the scheduler as a whole.

mod seeded;
mod threaded;
