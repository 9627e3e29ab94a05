import Testing

@Test("Builds") func builds() {}
