//! Events of the terminal, read by a task of their own as fast as they come, with the time at which each was read. Keys
//! that have waited for too long are dropped: what they were meant for is no longer on the screen.

use super::runtime::Input;
use crate::fault;
use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyModifiers, poll, read};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// Maximum number of events that wait for the loop. Beyond it, the terminal waits.
const CAPACITY: usize = 4_096;
/// Time after which a key that waits for the loop is dropped, with all that wait behind it.
const MAX_AGE: Duration = Duration::from_secs(1);
/// Time within which crossterm returns an event that it has read already. With a time of zero it looks for none.
const READ_ALREADY: Duration = Duration::from_micros(50);

/// Says whether the terminal's events are read: another program that has the terminal reads its keys itself.
pub(super) type KeyReading = watch::Receiver<bool>;

/// An input with the time at which it was read.
type Stamped = (Instant, Input);

/// Returns the terminal's events, which are read while `keys` is true. A separate task reads them: on a lost terminal crossterm 0.29 may read for ever within
/// one poll (its issue 793). On the loop's thread that would block every signal that should end the program.
pub(super) fn terminal_events(mut keys: KeyReading) -> BoxStream<'static, Input> {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    let reading = tokio::spawn(async move {
        // The sender lives as long as the console.
        while keys.wait_for(|read| *read).await.is_ok() {
            let mut events = EventStream::new();
            let taken_away = loop {
                let event = tokio::select! {
                    event = events.next() => event,
                    off = keys.wait_for(|read| !read) => break off.is_ok(),
                };
                let Some(Ok(event)) = event else { break false };
                if forward(event, &sender).await.is_err() {
                    break false;
                }
            };
            if !taken_away {
                break;
            }
        }
        // The end of the events, or an error, means that the terminal is lost.
        let _ = sender.send((Instant::now(), Input::Terminate)).await;
    });
    let max_age = fault::limit("key_age", MAX_AGE);
    fresh(receiver, max_age, AbortOnDropHandle::new(reading)).boxed()
}

/// Sends an event and those that crossterm has read with it. Without this, each costs a switch to the thread of its
/// event stream and back. Fails if the terminal is lost or the loop has ended.
async fn forward(event: Event, sender: &mpsc::Sender<Stamped>) -> io::Result<()> {
    let mut event = event;
    loop {
        let sent = sender.send((Instant::now(), Input::Terminal(event))).await;
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        if !poll(READ_ALREADY)? {
            return Ok(());
        }
        event = read()?;
    }
}

/// Returns the inputs in order, without keys and pasted texts that are older than `max_age`. With such a key, all that
/// wait behind it are dropped, since they may depend on it: of `/sync` the letters alone would request a sync. Ctrl-C and
/// what is not typed are kept. `reading` is dropped with the stream.
fn fresh<R: Send>(
    receiver: mpsc::Receiver<Stamped>,
    max_age: Duration,
    reading: R,
) -> impl Stream<Item = Input> + Send {
    let kept: VecDeque<Input> = VecDeque::new();
    stream::unfold((receiver, kept, reading), move |(mut receiver, mut kept, reading)| async move {
        if let Some(input) = kept.pop_front() {
            return Some((input, (receiver, kept, reading)));
        }
        let (read_at, input) = receiver.recv().await?;
        if read_at.elapsed() <= max_age || !is_typed(&input) {
            return Some((input, (receiver, kept, reading)));
        }
        let mut dropped = 0;
        let mut waiting = Some(input);
        while let Some(input) = waiting {
            if !is_typed(&input) || (is_interrupt(&input) && !kept.iter().any(is_interrupt)) {
                kept.push_back(input);
            } else {
                dropped += 1;
            }
            waiting = receiver.try_recv().ok().map(|(_, input)| input);
        }
        Some((Input::Dropped(dropped), (receiver, kept, reading)))
    })
}

/// Returns true for what a person types or pastes.
fn is_typed(input: &Input) -> bool {
    matches!(input, Input::Terminal(Event::Key(_) | Event::Paste(_)))
}

fn is_interrupt(input: &Input) -> bool {
    let Input::Terminal(Event::Key(KeyEvent { code, modifiers, .. })) = input else { return false };
    *code == KeyCode::Char('c') && modifiers.contains(KeyModifiers::CONTROL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn typed(letters: &str) -> Vec<Input> {
        letters.chars().map(|c| Input::Terminal(Event::Key(KeyEvent::from(KeyCode::Char(c))))).collect()
    }

    fn words(inputs: &[Input]) -> Vec<String> {
        let word = |input: &Input| match input {
            Input::Terminal(Event::Key(key)) if key.modifiers.is_empty() => key.code.to_string(),
            Input::Terminal(Event::Key(key)) => format!("{}-{}", key.modifiers, key.code),
            Input::Terminal(Event::Resize(width, height)) => format!("{width}x{height}"),
            other => format!("{other:?}"),
        };
        inputs.iter().map(word).collect()
    }

    /// Returns what the loop gets if it is busy for `busy` after `early` was read, and gets `late` then.
    async fn after(early: Vec<Input>, busy: Duration, late: Vec<Input>) -> Vec<String> {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        for input in early {
            sender.send((Instant::now(), input)).await.expect("there is room");
        }
        advance(busy).await;
        for input in late {
            sender.send((Instant::now(), input)).await.expect("there is room");
        }
        drop(sender);
        words(&fresh(receiver, MAX_AGE, ()).collect::<Vec<_>>().await)
    }

    #[tokio::test(start_paused = true)]
    async fn keys_older_than_a_second_are_dropped_with_those_behind_them() {
        assert_eq!(after(typed("/s"), Duration::from_millis(900), typed("y")).await, ["/", "s", "y"]);
        assert_eq!(after(typed("/s"), Duration::from_millis(1_100), typed("y")).await, ["Dropped(3)"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_size_and_one_interrupt_are_kept() {
        let interrupt = || Input::Terminal(Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)));
        let mut waiting = typed("jj");
        waiting.extend([Input::Terminal(Event::Resize(80, 24)), interrupt(), interrupt()]);
        let got = after(waiting, Duration::from_secs(2), vec![Input::Terminate]).await;
        assert_eq!(got, ["Dropped(3)", "80x24", "Control-c", "Terminate"]);
    }
}
