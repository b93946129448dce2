#include "net/cancel.h"

namespace ajar {

void CancelHook::link(CancelToken& token) {
  if (token.cancelled_) return run();
  token_ = &token;
  prev_ = nullptr;
  next_ = token.first_;
  if (next_) next_->prev_ = this;
  token.first_ = this;
}

void CancelHook::unlink() {
  if (!token_) return;
  if (prev_) {
    prev_->next_ = next_;
  } else {
    token_->first_ = next_;
  }
  if (next_) next_->prev_ = prev_;
  token_ = nullptr;
}

CancelToken::~CancelToken() {
  while (first_) first_->unlink();
}

void CancelToken::cancel() {
  if (cancelled_) return;
  cancelled_ = true;
  while (CancelHook* hook = first_) {
    hook->unlink();
    hook->run();
  }
}

}  // namespace ajar
