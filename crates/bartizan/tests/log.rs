//! A process of its own, because a subscriber is global.

use bartizan::Observability;
use tracing::level_filters::LevelFilter;

#[test]
fn code_says_which_events_are_wanted_where_the_environment_does_not() {
    let _stack = Observability::builder("log")
        .vars(|_| None)
        .log(|log| log.filter("error,orders=warn"))
        .log_sink(std::io::sink())
        .init()
        .unwrap();
    assert_eq!(LevelFilter::current(), LevelFilter::WARN);
}
