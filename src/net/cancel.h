#pragma once
// CancelToken: "the caller has left". Loop-confined, so no atomics and no locks. The server cancels the token
// of an exchange when its client goes away; whoever holds an upstream registers a hook that closes it.

#include <utility>

namespace ajar {

class CancelToken;

// One registration, embedded in its owner. The destructor unregisters.
class CancelHook {
 public:
  CancelHook(const CancelHook&) = delete;
  CancelHook& operator=(const CancelHook&) = delete;

 protected:
  CancelHook() = default;
  virtual ~CancelHook() { unlink(); }
  void link(CancelToken& token);  // runs the hook at once if the token is already cancelled
  void unlink();
  virtual void run() = 0;

 private:
  friend class CancelToken;
  CancelToken* token_ = nullptr;
  CancelHook* prev_ = nullptr;
  CancelHook* next_ = nullptr;
};

class CancelToken {
 public:
  CancelToken() = default;
  CancelToken(const CancelToken&) = delete;
  CancelToken& operator=(const CancelToken&) = delete;
  ~CancelToken();  // hooks still registered are unregistered without running

  // Runs every hook once, latest first. Hooks must not destroy the token; they may register or unregister.
  // Cancelling again does nothing.
  void cancel();
  bool cancelled() const { return cancelled_; }

 private:
  friend class CancelHook;
  CancelHook* first_ = nullptr;
  bool cancelled_ = false;
};

// OnCancel hook(token, [this] { close(); });   runs at most once, at once if already cancelled.
template <class F>
class OnCancel final : public CancelHook {
 public:
  OnCancel(CancelToken& token, F f) : f_(std::move(f)) { link(token); }
  ~OnCancel() override { unlink(); }

 private:
  void run() override { f_(); }
  F f_;
};

}  // namespace ajar
