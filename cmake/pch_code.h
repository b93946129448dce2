// Behind the headers above, beside sanitizers: templates that most files use, instantiated once (see ajar_pch in folder.cmake).
#include <charconv>

template class std::basic_string<char>;
template std::string std::operator+(const std::string&, const std::string&);
template std::string std::operator+(const std::string&, const char*);
template std::string std::operator+(const char*, const std::string&);
template std::string std::operator+(std::string&&, std::string&&);
template std::string std::operator+(std::string&&, const std::string&);
template std::string std::operator+(const std::string&, std::string&&);
template std::string std::operator+(std::string&&, const char*);
template std::string std::operator+(const char*, std::string&&);
template class std::basic_string_view<char>;
template class std::vector<std::string>;
template class std::vector<std::string_view>;
template class std::vector<float>;
template class std::vector<double>;
template class std::vector<char>;
template class std::vector<int32_t>;
template class std::vector<uint8_t>;
template class std::vector<uint64_t>;
template class std::vector<std::pair<std::string, std::string>>;
template struct std::pair<std::string, std::string>;
template class std::map<std::string, std::string>;
template class std::set<std::string>;
template class std::optional<std::string>;
template class std::function<void()>;
template class std::unique_lock<std::mutex>;
template class std::lock_guard<std::mutex>;
