//! Draws on terminals and reads their keys with no description of them on disk: those that the library
//! has compiled in.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_short, c_uint, c_void};
use std::fs;
use std::ptr;

/// A pointer to something of which only the library knows what is in it.
type Opaque = *mut c_void;

const OK: c_int = 0;
const ERR: c_int = -1;
const KEY_UP: c_int = 0o403;
const KEY_F5: c_int = 0o415;
const BOLD: c_uint = 1 << 21;
const LC_ALL: c_int = 6;

#[link(name = "menuw", kind = "static")]
unsafe extern "C" {
    fn new_item(name: *const c_char, text: *const c_char) -> Opaque;
    fn new_menu(items: *mut Opaque) -> Opaque;
    fn set_menu_win(menu: Opaque, window: Opaque) -> c_int;
    fn set_menu_sub(menu: Opaque, window: Opaque) -> c_int;
    fn post_menu(menu: Opaque) -> c_int;
}

#[link(name = "panelw", kind = "static")]
unsafe extern "C" {
    fn new_panel(window: Opaque) -> Opaque;
    fn update_panels();
}

#[link(name = "ncursesw", kind = "static")]
unsafe extern "C" {
    static stdscr: Opaque;
    fn curses_version() -> *const c_char;
    fn setupterm(term: *const c_char, file: c_int, error: *mut c_int) -> c_int;
    fn tigetnum(name: *const c_char) -> c_int;
    fn tigetstr(name: *const c_char) -> *const c_char;
    fn tparm(text: *const c_char, ...) -> *const c_char;
    fn newterm(term: *const c_char, out: Opaque, input: Opaque) -> Opaque;
    fn endwin() -> c_int;
    fn delscreen(screen: Opaque);
    fn start_color() -> c_int;
    fn init_pair(pair: c_short, letter: c_short, ground: c_short) -> c_int;
    fn wattr_set(window: Opaque, what: c_uint, pair: c_short, more: Opaque) -> c_int;
    fn wmove(window: Opaque, line: c_int, column: c_int) -> c_int;
    fn waddnstr(window: Opaque, text: *const c_char, length: c_int) -> c_int;
    fn getcurx(window: Opaque) -> c_int;
    fn keypad(window: Opaque, on: bool) -> c_int;
    fn wgetch(window: Opaque) -> c_int;
    fn wnoutrefresh(window: Opaque) -> c_int;
    fn doupdate() -> c_int;
    fn derwin(of: Opaque, lines: c_int, columns: c_int, line: c_int, column: c_int) -> Opaque;
    fn newwin(lines: c_int, columns: c_int, line: c_int, column: c_int) -> Opaque;
}

// Of musl.
unsafe extern "C" {
    fn setlocale(category: c_int, name: *const c_char) -> *const c_char;
    fn fopen(path: *const c_char, mode: *const c_char) -> Opaque;
    fn fclose(file: Opaque) -> c_int;
}

fn main() {
    // SAFETY: there is one thread.
    unsafe {
        std::env::set_var("TERM", "xterm-256color");
        assert!(!setlocale(LC_ALL, c"C.UTF-8".as_ptr()).is_null());
    }
    let text = unsafe { CStr::from_ptr(curses_version()) }.to_str().unwrap();
    let version = format!("ncurses {}.", std::env::var("MUSLIN_VERSION").unwrap());
    assert!(text.starts_with(&version), "{text}: its date follows on the version");
    descriptions();
    screen();
}

/// Looks a terminal up: how many colours it has, if there is such a terminal.
fn colors(term: Option<&str>) -> Option<c_int> {
    let name = term.map(|name| CString::new(name).unwrap());
    let mut error = 0;
    // SAFETY: a name or none, which stands for the variable's.
    unsafe {
        let result = setupterm(name.as_ref().map_or(ptr::null(), |it| it.as_ptr()), 1, &mut error);
        assert_eq!(result == OK, error == 1, "{term:?}");
        (result == OK).then(|| tigetnum(c"colors".as_ptr()))
    }
}

fn descriptions() {
    let terms: [(&str, c_int); 10] = [
        ("xterm", 8),
        ("screen", 8),
        ("screen-256color", 256),
        ("tmux", 8),
        ("tmux-256color", 256),
        ("linux", 8),
        ("vt100", -1),
        ("vt220", -1),
        ("dumb", -1),
        ("alacritty", 256),
    ];
    for (term, count) in terms {
        assert_eq!(colors(Some(term)), Some(count), "{term}");
    }
    assert_eq!(colors(Some("no-such-terminal")), None);
    assert_eq!(colors(None), Some(256), "that of TERM");
    // SAFETY: texts of the terminal above, the arguments that they take.
    unsafe {
        let place = tigetstr(c"cup".as_ptr());
        let place = tparm(place, 4 as c_long, 9 as c_long);
        assert_eq!(CStr::from_ptr(place), c"\x1b[5;10H");
    }
}

fn screen() {
    // The keys that are pressed: ^, F5, a letter.
    fs::write("/tmp/keys", "\x1bOA\x1b[15~q").unwrap();
    // SAFETY: files and windows that are open until the end.
    unsafe {
        let out = fopen(c"/tmp/screen".as_ptr(), c"w".as_ptr());
        let input = fopen(c"/tmp/keys".as_ptr(), c"r".as_ptr());
        let screen = newterm(ptr::null(), out, input);
        assert!(!screen.is_null());
        assert_eq!((start_color(), init_pair(1, 1, 4)), (OK, OK));
        assert_eq!(wattr_set(stdscr, BOLD, 1, ptr::null_mut()), OK);
        assert_eq!(wmove(stdscr, 2, 3), OK);
        assert_eq!(waddnstr(stdscr, c"Grüße 日本".as_ptr(), -1), OK);
        assert_eq!(getcurx(stdscr), 3 + 6 + 4, "letters of two columns");
        assert_eq!(wmove(stdscr, 24, 0), ERR, "there are 24 lines");
        assert_eq!(wnoutrefresh(stdscr), OK);

        let window = newwin(4, 20, 10, 30);
        assert!(!new_panel(window).is_null());
        let item = |name: &'static CStr| new_item(name.as_ptr(), c"of two".as_ptr());
        let mut items = [item(c"first"), item(c"second"), ptr::null_mut()];
        let menu = new_menu(items.as_mut_ptr());
        let inner = derwin(window, 2, 18, 1, 1);
        assert_eq!((set_menu_win(menu, window), set_menu_sub(menu, inner)), (OK, OK));
        assert_eq!(post_menu(menu), OK);
        update_panels();
        assert_eq!(doupdate(), OK);

        assert_eq!(keypad(stdscr, true), OK);
        let keys = [(); 4].map(|()| wgetch(stdscr));
        assert_eq!(keys, [KEY_UP, KEY_F5, c_int::from(b'q'), ERR]);
        endwin();
        delscreen(screen);
        assert_eq!((fclose(out), fclose(input)), (0, 0));
    }
    let drawn = fs::read_to_string("/tmp/screen").unwrap();
    for part in ["\x1b[3;4H", "\x1b[31m", "\x1b[44m", "Grüße 日本", "first", "second", "of two"]
    {
        assert!(drawn.contains(part), "{part:?} in {drawn:?}");
    }
}
