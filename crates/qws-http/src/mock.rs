use std::{
    collections::BTreeMap,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use azure_core::time::OffsetDateTime;

use crate::Clock;

/// A clock for tests: it stands still until it is told to go on, and remembers every wait it was asked for.
///
/// Two ways to drive it: [`ManualClock::advance`] from outside, or [`ManualClock::skipping`], where every sleep jumps
/// straight to its end (bounds on other work, [`Clock::expire`], do not). Clones share the time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    start: OffsetDateTime,
    passed: Duration,
    skip_sleeps: bool,
    sleeps: Vec<Duration>,
    waiting: BTreeMap<usize, Waker>,
    next_id: usize,
}

impl ManualClock {
    /// A clock that stands at `start` until [`ManualClock::advance`] moves it.
    #[must_use]
    pub fn new(start: OffsetDateTime) -> Self {
        let state = State {
            start,
            passed: Duration::ZERO,
            skip_sleeps: false,
            sleeps: Vec::new(),
            waiting: BTreeMap::new(),
            next_id: 0,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// A clock on which every sleep ends at once, with the time moved on by its length.
    #[must_use]
    pub fn skipping(start: OffsetDateTime) -> Self {
        let clock = Self::new(start);
        clock.lock().skip_sleeps = true;
        clock
    }

    /// Moves time on and wakes those whose time may have come.
    pub fn advance(&self, by: Duration) {
        let waiting: Vec<Waker> = {
            let mut state = self.lock();
            state.passed += by;
            state.waiting.values().cloned().collect()
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Every sleep begun so far, in order.
    #[must_use]
    pub fn sleeps(&self) -> Vec<Duration> {
        self.lock().sleeps.clone()
    }

    /// How many sleeps and bounds are waiting for time to move.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, duration: Duration) -> Wait {
        let mut state = self.lock();
        state.next_id += 1;
        Wait { clock: self.clone(), id: state.next_id, until: state.passed + duration }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        let state = self.lock();
        state.start + state.passed
    }

    fn monotonic(&self) -> Duration {
        self.lock().passed
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let wait = self.wait(duration);
        let skip = {
            let mut state = self.lock();
            state.sleeps.push(duration);
            state.skip_sleeps
        };
        if !skip {
            return Box::pin(wait);
        }
        self.advance(duration);
        // Others who wait for this time get their turn first: a deadline that has now passed is noticed.
        let mut polled = false;
        let others_first = poll_fn(move |context| {
            if std::mem::replace(&mut polled, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        });
        Box::pin(async move {
            others_first.await;
            wait.await;
        })
    }

    fn expire(&self, limit: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.wait(limit))
    }
}

/// Ready once the clock has reached `until`; forgotten by the clock when dropped.
struct Wait {
    clock: ManualClock,
    id: usize,
    until: Duration,
}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        if state.passed >= self.until {
            return Poll::Ready(());
        }
        state.waiting.insert(self.id, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.clock.lock().waiting.remove(&self.id);
    }
}
