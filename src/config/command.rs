//! The only list of the subcommands. `cli` makes the command line from it, and the table of settings says which command
//! takes a setting.
//!
//! It is in this folder because `cli` imports `config`, not the reverse.

/// Calls a macro with the list: the name of each command as a type, and its module in `cli`, which is its name on the
/// command line.
macro_rules! with_commands {
    ($callback:ident) => {
        $callback! {
            Serve serve
            #[cfg(feature = "pubsub")]
            Pull pull
            #[cfg(feature = "local")]
            Local local
            Pixel pixel
            Explain explain
            Sign sign
            Check check
            Cost cost
            Replay replay
            Forget forget
            #[cfg(feature = "query")]
            Query query
        }
    };
}
pub(crate) use with_commands;

macro_rules! define {
    ($($(#[$feature:meta])? $command:ident $module:ident)+) => {
        /// A subcommand. All of them exist in each build, as the table of settings has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Command {
            $($command,)+
        }

        impl Command {
            pub const ALL: &[Self] = &[$(Self::$command),+];

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$command => stringify!($module),)+
                }
            }
        }
    };
}
with_commands!(define);

impl Command {
    pub(crate) const fn from_index(index: u8) -> Self {
        Self::ALL[index as usize]
    }
}
