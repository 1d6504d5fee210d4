//! The access tokens of `replay` and `forget`: none for an emulator, else those of the user.

use crate::config::Operator;
use crate::google::{TokenError, Tokens};

impl Operator {
    /// Tokens for BigQuery.
    pub(crate) async fn tokens(&self) -> Result<Tokens, TokenError> {
        self.tokens_unless(self.service.emulator).await
    }

    /// Tokens for Cloud Storage.
    pub(crate) async fn storage_tokens(&self) -> Result<Tokens, TokenError> {
        self.tokens_unless(self.storage_emulator).await
    }

    async fn tokens_unless(&self, is_emulator: bool) -> Result<Tokens, TokenError> {
        if is_emulator { Ok(Tokens::None) } else { Tokens::user_credentials(self.access_token_file.as_deref()).await }
    }
}
