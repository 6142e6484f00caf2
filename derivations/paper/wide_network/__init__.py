"""The network of section 5.4: (12) and Figure 5 put to the test."""
