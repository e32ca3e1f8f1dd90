use quote::quote;

use super::*;

/// Reads a call of `retrying!`. Returns the block, the arguments and the messages.
fn read(input: TokenStream) -> (Option<Block>, Arguments, Vec<String>) {
    let mut errors = Errors::new();
    let (mut arguments, item) = Arguments::read_before(input, starts, &mut errors);
    let block = Block::read(item, &mut arguments, &mut errors);
    let messages =
        errors.finish().map_or_else(|all| all.into_iter().map(|error| error.to_string()).collect(), |()| vec![]);
    (block, arguments, messages)
}

#[track_caller]
fn block(input: TokenStream) -> (Block, Arguments) {
    let (block, arguments, messages) = read(input);
    assert_eq!(messages, Vec::<String>::new());
    (block.unwrap(), arguments)
}

#[track_caller]
fn assert_refused(input: TokenStream, expected: &str) {
    let (_, _, messages) = read(input.clone());
    assert!(messages.len() == 1 && messages[0].contains(expected), "{input}: {messages:?}");
}

#[test]
fn blocks_and_closures() {
    for (input, moves, outcome, body) in [
        (quote!(async { x }), false, None, "{ x }"),
        (quote!(attempts = 3, async move { x },), true, None, "{ x }"),
        (quote!(attempts = 3, async || -> R<u32> { x }), false, Some("R < u32 >"), "{ x }"),
        (quote!(async move |_| f::<A, B>(x).await,), true, None, "{ f :: < A , B > (x) . await }"),
    ] {
        let (block, _) = block(input);
        let Shape::Returned { future } = &block.function.shape else { panic!("not async") };
        assert_eq!(future.move_token.is_some(), moves);
        assert_eq!(block.function.outcome().map(|ty| quote!(#ty).to_string()).as_deref(), outcome);
        assert_eq!(block.function.body.to_string(), body);
    }
    let (block, arguments) = block(quote!(blocking, move |attempt| -> R<u32> { x }));
    assert!(matches!(block.function.shape, Shape::Blocking) && block.move_token.is_some());
    assert_eq!(arguments.bind.unwrap().value, "attempt");
}

#[test]
fn closures_of_arguments_do_not_end_them() {
    let (_, arguments) = block(quote!(on_error = |error| error.a == b || c, on_ok = |n| *n < 1, async { x }));
    assert!(arguments.on_error.is_some() && arguments.on_ok.is_some());
    let (_, arguments) = block(quote!(policy = if a { b } else { c }, async { x }));
    assert!(arguments.policy.is_some());
}

#[test]
fn an_argument_cannot_follow() {
    for input in [quote!(async { x }, attempts = 3), quote!(async || f(x), attempts = 3), quote!(async { x } { y })] {
        assert_refused(input, "nothing may follow the block");
    }
    // These are expressions.
    for body in [quote!(f::<A, B>(x)), quote!(a == b), quote!({ a }.b)] {
        block(quote!(blocking, || #body));
    }
}

#[test]
fn other_last_items() {
    for input in [
        quote!({ x }),
        quote!(attempts = 3, get()),
        quote!(a.b().c()),
        quote!(a::b(c),),
        quote!(future),
        quote!(&mut future),
        quote!((a)),
        quote!(unsafe { x }),
        quote!(match x {}),
        quote!(make!(x)),
    ] {
        assert_refused(input, "expected an `async` block");
    }
    assert_refused(quote!(blocking, get()), "expected a closure");
    assert_refused(quote!(blocking), "the closure is missing");
    assert_refused(quote!(atempts), "did you mean `attempts`");
    assert_refused(quote!(max_times, async { x }), "unknown argument `max_times`");
    assert_refused(quote!(future, async { x }), "unknown argument `future`");
}

#[test]
fn code_is_kept_after_an_error() {
    let kept = |input: TokenStream| {
        let mut errors = Errors::new();
        let (_, item) = Arguments::read_before(input.clone(), starts, &mut errors);
        let _ = errors.finish();
        unread(item, input).map(|code| code.to_string())
    };
    assert_eq!(kept(quote!({ x })).as_deref(), Some("async { x }"));
    assert_eq!(kept(quote!(get())).as_deref(), Some("get ()"));
    assert_eq!(kept(quote!(attempts = |, = async { x })).as_deref(), Some("async move { x }"));
    assert_eq!(kept(quote!(async || -> 1 { x })).as_deref(), Some("async move { x }"));
    assert_eq!(kept(quote!(attempts = 3)), None);
}
