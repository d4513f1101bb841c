//! Tests copies that are killed and go on.

use super::{copy_of, install, rows, source};
use crate::store::support::Backend;
use crate::support::install::{Ended, Install};
use crate::support::place::Place;
use crate::upgrade::filled::filled;

/// Abort of the process at a fault point.
const ABORTED: Option<i32> = Some(6);

/// Runs the verb, with a fault.
fn run(install: &Install, fault: &str, from: &Place, to: &Place) -> Ended {
    let args = ["copy", "--from", &from.url(), "--to", &to.url(), "--yes"];
    install.start_with(&[("QUARTERDECK_FAULT", fault)], &args).ended()
}

async fn a_copy_that_is_killed_anywhere_goes_on_and_no_verb_uses_it_before(on: Backend) {
    let (scene, _) = source(Backend::Sqlite).await;
    let install = install().await;
    let whole = copy_of(&scene.place, on).await;
    let killed = Place::new(on).await;
    let store = killed.url();
    for part in ["begun", "host_markdown", "captain_documents", "outcomes", "versions", "document_state", "completing"]
    {
        let ended = run(&install, &format!("copy:abort:{part}"), &scene.place, &killed);
        assert_eq!(ended.signal, ABORTED, "{part}: {ended:?}");
        for verb in [&["list"][..], &["add", "https://c.test/"], &["work", "--drain"], &["changes"], &["migrate"]] {
            let refused = install.run(&[verb, &["--store", &store]].concat());
            let says = format!("go on with `quarterdeck copy --from {} --to`", scene.place.url());
            assert!(refused.code == Some(3) && refused.err.contains(&says), "{part}: {verb:?}: {refused:?}");
        }
    }
    let another = filled(Backend::Sqlite).await;
    let other = run(&install, "none", &another.place, &killed);
    assert!(other.code == Some(3) && other.err.contains("name that store"), "{other:?}");
    let ended = run(&install, "copy:abort:complete", &scene.place, &killed);
    assert_eq!(ended.signal, ABORTED, "{ended:?}");
    let again = run(&install, "none", &scene.place, &killed);
    assert_eq!(
        (again.code, again.out.join("").as_str()),
        (Some(0), "nothing to do: it is a copy of this store already")
    );
    assert_eq!(rows(&killed, 0).await, rows(&whole, 0).await);
    let listed = install.run(&["list", "--store", &store, "--json"]);
    assert!(listed.code == Some(0) && listed.out.len() > 10, "{listed:?}");
    // What the copy got since is not in the store that was copied, and the copy is not brought up to date by another one.
    assert_eq!(install.run(&["add", "https://later.test/", "--store", &store]).code, Some(0));
    let diverged = run(&install, "none", &scene.place, &killed);
    assert!(diverged.code == Some(3) && diverged.err.contains("one of the two has gone on since"), "{diverged:?}");
}

async fn a_source_that_has_changed_since_the_kill_is_copied_anew(on: Backend) {
    let (scene, _) = source(on).await;
    let install = install().await;
    let copied = Place::new(if on == Backend::Sqlite { Backend::Postgres } else { Backend::Sqlite }).await;
    assert_eq!(run(&install, "copy:abort:document_state", &scene.place, &copied).signal, ABORTED);
    scene.sql("UPDATE captain_documents SET content = 'a later text' WHERE id = 2").await;
    let ended = run(&install, "none", &scene.place, &copied);
    assert!(ended.code == Some(0) && ended.out[0].starts_with("copied "), "{ended:?}");
    let text = "SELECT content FROM captain_documents WHERE id = 2";
    assert_eq!(copied.text(text).await.as_deref(), Some("a later text"));
    let reference =
        copy_of(&scene.place, if on == Backend::Sqlite { Backend::Postgres } else { Backend::Sqlite }).await;
    assert_eq!(rows(&copied, 0).await, rows(&reference, 0).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_writes_to_the_copy_meanwhile_is_found_by_its_verification() {
    let (scene, _) = source(Backend::Sqlite).await;
    let install = install().await;
    let copied = Place::new(Backend::Sqlite).await;
    assert_eq!(run(&install, "copy:abort:@outbox", &scene.place, &copied).signal, ABORTED);
    copied.sql("UPDATE document_state SET etag = 'another' WHERE document_id = 2").await;
    let anew = run(&install, "none", &scene.place, &copied);
    assert_eq!(anew.code, Some(0), "a difference that the comparison finds: {anew:?}");
    assert_eq!(rows(&copied, 0).await, rows(&copy_of(&scene.place, Backend::Sqlite).await, 0).await);
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    a_copy_that_is_killed_anywhere_goes_on_and_no_verb_uses_it_before,
    a_source_that_has_changed_since_the_kill_is_copied_anew,
}
