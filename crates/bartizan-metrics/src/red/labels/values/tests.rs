use super::*;

#[test]
fn a_million_values_are_as_many_as_the_cap_says() {
    let values = Values::new(&Bound::AtMost(100), 100);
    let numbers: std::collections::HashSet<_> =
        (0..1_000_000).map(|n| values.number(|| Some(n.to_string().into()))).collect();
    assert_eq!(numbers.len(), 101);
    assert_eq!(values.number(|| Some("99".into())), values.number(|| Some("99".into())));
    assert_eq!(values.text(values.number(|| Some("99".into()))), "99");
    assert_eq!(values.text(values.number(|| Some("100".into()))), "overflow");
}

#[test]
fn declared_values_are_all_there_are() {
    let declared = Bound::Declared(["a".to_owned(), "b".to_owned(), "a".to_owned()].into());
    let values = Values::new(&declared, 3);
    let text = |value: Option<&'static str>| values.text(values.number(|| value.map(Into::into))).to_owned();
    assert_eq!([text(Some("a")), text(Some("b")), text(Some("c"))], ["a", "b", "other"]);
    assert_eq!([text(None), text(Some(""))], ["none", "none"]);
}

#[test]
fn threads_that_meet_at_the_cap_stay_within_it() {
    let values = Values::new(&Bound::AtMost(50), 50);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let values = &values;
            scope.spawn(move || {
                for n in 0..1_000 {
                    let text = format!("{thread}-{n}");
                    let number = values.number(|| Some((&*text).into()));
                    assert!([&*text, "overflow"].contains(&values.text(number)));
                }
            });
        }
    });
    assert_eq!(values.texts.iter().filter(|slot| slot.get().is_some()).count(), 50);
}
