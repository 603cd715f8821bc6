//! Behaviour across crates: the tests are in `tests/`, one binary per promise.
//!
//! What must not compile is here, each beside its like that does.
//!
//! # A process may move between threads at every await
//!
//! So it may hold there only what can be sent:
//! ```
//! use beamish::prelude::*;
//! use std::{rc::Rc, sync::Arc};
//!
//! async fn body() {
//!     let here = Rc::new(1);
//!     drop(here);
//!     let shared = Arc::new(2);
//!     yield_now().await;
//!     assert_eq!(*shared, 2);
//! }
//! let runtime = Runtime::builder().workers(1).build().unwrap();
//! runtime.block_on(async { drop(spawn_monitor(body())) }).unwrap();
//! ```
//! ```compile_fail
//! # use beamish::prelude::*;
//! async fn body() {
//!     let here = std::rc::Rc::new(1);
//!     yield_now().await;
//!     assert_eq!(*here, 1);
//! }
//! fn start() { let _ = spawn(body()); }
//! ```
//! ```compile_fail
//! # use beamish::prelude::*;
//! # async fn body() { let here = std::rc::Rc::new(1); yield_now().await; drop(here); }
//! fn start(runtime: &Runtime) { let _ = runtime.spawn(body()); }
//! ```
//! ```compile_fail
//! # use beamish::prelude::*;
//! # async fn body() { let here = std::rc::Rc::new(1); yield_now().await; drop(here); }
//! fn start() { let _ = SpawnOptions::new().spawn(body()); }
//! ```
//! Nor a lock of the standard library:
//! ```compile_fail
//! # use beamish::prelude::*;
//! # use std::sync::{Arc, Mutex};
//! fn start(shared: Arc<Mutex<u8>>) {
//!     spawn(async move {
//!         let locked = shared.lock().unwrap();
//!         receive::<u8>().await;
//!         drop(locked);
//!     });
//! }
//! ```
//!
//! # A process outlives the function that spawns it
//!
//! ```compile_fail
//! # use beamish::prelude::*;
//! fn start() {
//!     let local = String::from("gone");
//!     spawn(async { println!("{}", &local) });
//! }
//! ```
//!
//! # Messages move to another thread
//!
//! ```
//! # use beamish::prelude::*;
//! fn tell(pid: Pid) { send(pid, std::sync::Arc::new(1)); }
//! ```
//! ```compile_fail,E0277
//! # use beamish::prelude::*;
//! fn tell(pid: Pid) { send(pid, std::rc::Rc::new(1)); }
//! ```
//! ```compile_fail,E0277
//! # use beamish::prelude::*;
//! fn tell(pid: Pid) { send_after(Duration::ZERO, pid, std::rc::Rc::new(1)); }
//! ```
//! ```compile_fail
//! # use beamish::prelude::*;
//! fn tell(pid: Pid, text: &str) { send(pid, text); }
//! ```
//! So do tags and the values of the dictionary:
//! ```compile_fail,E0277
//! # use beamish::prelude::*;
//! fn watch(pid: Pid) { monitor_with(pid, MonitorOptions::new().tag(std::rc::Rc::new(1))); }
//! ```
//! ```compile_fail,E0277
//! # use beamish::prelude::*;
//! fn keep() { dictionary::put("key", std::rc::Rc::new(1)); }
//! ```
//! Reasons are seen by many at once:
//! ```compile_fail,E0277
//! # use beamish::prelude::*;
//! fn end() { exit(ExitReason::custom(std::cell::Cell::new(1))) }
//! ```
//!
//! # What a runtime returns comes from another thread
//!
//! ```compile_fail,E0277
//! # use beamish::prelude::*;
//! fn ask(runtime: &Runtime) { let _ = runtime.block_on(async { std::rc::Rc::new(1) }); }
//! ```
//!
//! # Only what can end is monitored, and only a timer is cancelled
//!
//! ```
//! # use beamish::prelude::*;
//! fn watch(pid: Pid) { let _ = (monitor(pid), monitor("name")); }
//! ```
//! ```compile_fail,E0277
//! # use beamish::prelude::*;
//! fn watch() { monitor(7); }
//! ```
//! ```compile_fail,E0308
//! # use beamish::prelude::*;
//! fn stop() { let _ = cancel_timer(make_ref()); }
//! ```
